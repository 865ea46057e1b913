"""Text -> expression: a small parser of our own, so that nothing a file says ever reaches Python's.

What it does not know it refuses, with the place in the text and the way to write it here.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.patients.expressions import ARGUMENT_COUNTS, COMPARISONS, FUNCTIONS, Call, Expression, Name, Number

LONGEST_TEXT = 20_000
DEEPEST_TREE = 150
"""Operations within operations; what is deeper belongs into [algebra] or [record] entries of its own."""

EXPECTED = "an expression of numbers, names, + - * / ^, comparisons and exp log sqrt min max if(cond, a, b)"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^<>(),])|(?P<other>\S))"
)
_OTHER_FUNCTIONS = {
    "ln": "Write log(x): it is the natural logarithm.",
    "log10": "Write log(x)/log(10).",
    "abs": "Write max(x, -x).",
    "pow": "Write a^b.",
    "log1p": "Write log(1 + x).",
    "exp10": "Write 10^x.",
}
_SIGN_CURES = {
    "**": "Write ^ for a power.",
    "=": "Write == for a comparison; an entry's own name stands left of the = of the file.",
    "&": "Write if(a, if(b, x, y), y) for two conditions, or their product.",
    "|": "Write if(a, x, if(b, x, y)) for either of two conditions, or their max.",
    "!": "Write if(cond, 0, 1), or != between two values.",
    "?": "Write if(cond, a, b).",
    "%": "There is no remainder here; work it out as a data column.",
    ".": "A name has letters, digits and underscores only, and nothing is looked up inside it.",
    '"': "Text is no value here; give categories numbers in the data, such as SEX = 0 or 1.",
    "'": "Text is no value here; give categories numbers in the data, such as SEX = 0 or 1.",
    "[": "There are no lists here; give each value a name of its own.",
    ";": "One expression an entry; move the rest into an entry of its own.",
}
_WORDS = {
    "and": "Write if(a, if(b, x, y), y), or the product of the two conditions.",
    "or": "Write if(a, x, if(b, x, y)), or the max of the two conditions.",
    "not": "Write if(cond, 0, 1).",
    "if": "Write if(cond, a, b).",
    "else": "Write if(cond, a, b).",
    "true": "Write 1.",
    "false": "Write 0.",
}
WORDS_THAT_ARE_NO_NAMES = frozenset(_WORDS) | frozenset(FUNCTIONS)
"""In any case; names that begin with two underscores are refused too."""


class ExpressionError(Exception):
    """A text that is no expression. `position` counts characters from 1."""

    def __init__(self, *, position: int, found: str, expected: str, cure: str) -> None:
        self.position, self.found, self.expected, self.cure = position, found, expected, cure
        super().__init__(f"character {position}: found {found}; expected {expected}. {cure}")


def parse_expression(text: str) -> Expression:
    """The tree of an expression; names keep their spelling.

    Raises
    ------
    ExpressionError
        If the text is no expression: what was found at which character, what was expected and the cure.
    """
    if len(text) > LONGEST_TEXT:
        found, cure = f"{len(text)} characters", "Divide it into entries of their own."
        raise ExpressionError(position=1, found=found, expected=f"at most {LONGEST_TEXT}", cure=cure)
    return _Parser(text).whole()


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.kind = self.token = ""
        self.position = 1
        self._next()

    def whole(self) -> Expression:
        if self.kind == "end":
            self._refuse("an empty text", cure="Write the value, or remove the entry.")
        expression = self._comparison()
        if self.kind != "end":
            self._refuse(self._found(), cure=self._cure())
        self._check_depth(expression)
        return expression

    def _comparison(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST_TREE:
            self._too_deep()
        left = self._sum()
        if self.token in COMPARISONS:
            sign = self._take()
            left = Call(sign, (left, self._sum()))
            if self.token in COMPARISONS:
                cure = "Write if(a < b, b < c, 0): a comparison has two sides."
                self._refuse(f"a second comparison {self.token}", cure=cure)
        self.depth -= 1
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while self.token in ("+", "-"):
            left = Call(self._take(), (left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self.token in ("*", "/"):
            left = Call(self._take(), (left, self._signed()))
        return left

    def _signed(self) -> Expression:
        signs: list[str] = []
        while self.token in ("-", "+"):
            signs.append(self._take())
            if len(signs) > DEEPEST_TREE:
                self._too_deep()
        expression = self._power()
        for _ in range(signs.count("-")):
            expression = Call("neg", (expression,))
        return expression

    def _power(self) -> Expression:
        base = self._atom()
        if self.token != "^":
            return base
        self._take()
        self.depth += 1
        if self.depth > DEEPEST_TREE:
            self._too_deep()
        exponent = self._signed()
        self.depth -= 1
        return Call("^", (base, exponent))

    def _atom(self) -> Expression:
        if self.kind == "number":
            value = float(self.token)
            if not math.isfinite(value):
                self._refuse(f"the number {self.token}", expected="a number below 1.8e308", cure="Correct the number.")
            self._take()
            return Number(value)
        if self.kind == "name":
            return self._name_or_call()
        if self.token != "(":
            self._refuse(self._found(), cure=self._cure())
        self._take()
        inner = self._comparison()
        self._expect(")")
        return inner

    def _name_or_call(self) -> Expression:
        position, word = self.position, self._take()
        if self.token == "(":
            return self._call(word, position)
        if word.casefold() in WORDS_THAT_ARE_NO_NAMES or word.startswith("__"):
            cure = _WORDS.get(word.casefold(), f"Write {word.casefold()}(...), or give the value another name.")
            if word.startswith("__"):
                cure = "A name begins with a letter or one underscore."
            self._refuse(f'the word "{word}"', expected="a number, a name or (", cure=cure, position=position)
        return Name(word)

    def _call(self, word: str, position: int) -> Expression:
        function = word.casefold()
        if function not in FUNCTIONS:
            otherwise = "Only these functions are known; write * before a parenthesis for a product."
            cure = _OTHER_FUNCTIONS.get(function) or _WORDS.get(function) or did_you_mean(function, FUNCTIONS, otherwise=otherwise)
            expected = "one of the functions exp, log, sqrt, min, max, if"
            self._refuse(f'the function "{word}"', expected=expected, cure=cure, position=position)
        self._take()
        arguments = [self._comparison()] if self.token != ")" else []
        while self.token == ",":
            self._take()
            arguments.append(self._comparison())
        self._expect(")")
        least, most = ARGUMENT_COUNTS[function]
        if len(arguments) < least or (most is not None and len(arguments) > most):
            wanted = f"{least}" if least == most else f"{least} or more"
            cure = "Write if(cond, a, b)." if function == "if" else f"Correct what stands within {function}(...)."
            found = f"{function} with {len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
            self._refuse(found, expected=wanted, cure=cure, position=position)
        return Call(function, tuple(arguments))

    def _expect(self, sign: str) -> None:
        if self.token != sign:
            self._refuse(self._found(), expected=f'"{sign}" or an operator', cure=self._cure())
        self._take()

    def _take(self) -> str:
        taken = self.token
        self._next()
        return taken

    def _next(self) -> None:
        matched = _TOKEN.match(self.text, self.at)
        if not matched:
            self.kind, self.token, self.position = "end", "", len(self.text) + 1
            return
        self.at = matched.end()
        self.kind = str(matched.lastgroup)
        self.token = matched[self.kind]
        self.position = matched.start(self.kind) + 1

    def _found(self) -> str:
        return "the end of the text" if self.kind == "end" else f'"{self.token}"'

    def _cure(self) -> str:
        if self.kind == "end":
            return "Complete the expression."
        if self.kind in ("name", "number"):
            return _WORDS.get(self.token.casefold(), "Put an operator between the two, or remove one.")
        return _SIGN_CURES.get(self.token, "Correct the expression here.")

    def _refuse(self, found: str, *, cure: str, expected: str = EXPECTED, position: int | None = None) -> NoReturn:
        raise ExpressionError(position=position or self.position, found=found, expected=expected, cure=cure)

    def _too_deep(self) -> NoReturn:
        cure = "Move inner terms into entries of their own."
        self._refuse("operations nested too deep", expected=f"at most {DEEPEST_TREE} within one another", cure=cure)

    def _check_depth(self, expression: Expression) -> None:
        level, depth = [expression], 0
        while level:
            depth += 1
            if depth > DEEPEST_TREE:
                self._too_deep()
            level = [argument for node in level if isinstance(node, Call) for argument in node.arguments]
