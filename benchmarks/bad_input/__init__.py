"""Bad input in bulk: seeded mutations of rows, files, configs, templates, tokenizers and adapters.

    python -m benchmarks.bad_input    # writes benchmarks/results/bad_input.md and .json

Each input must end in a result, in a counted skip, or in one line of the package's own error type that names the file
and the remedy. A traceback, a hang, a message of several lines and a row that is lost in silence are faults. The short
form runs in the tests, ``tests/faults``.
"""
