"""Reader exports: one file per format; `detect` picks by content and says why not the others."""
