"""Files at the door: text, tables and workbooks become readings, maps and manifests."""
