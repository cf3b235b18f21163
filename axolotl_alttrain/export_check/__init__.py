"""Compare a model in the form in which it was trained with the form in which it is exported or served."""
