"""The AltTrain format: examples, their rows and how chat templates write thoughts; without torch and Axolotl."""
