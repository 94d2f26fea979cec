"""Proof that every check matters: each is switched off in turn, and some test must fail.

`sites` says what a check is, `python` and `typescript` run the tests of one language, `board` keeps the verdicts in
`build/mutation/` so that an interrupted run goes on where it was, `__main__` is the command.
"""
