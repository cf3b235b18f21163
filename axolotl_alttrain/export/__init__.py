"""Export an adapter as a model of its own: the base as it was trained on, with the adapter added."""
