"""Recipes and their data; a package only so that they are found after installation."""
