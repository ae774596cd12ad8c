"""For a shell, a classroom and the web; a learner may skip it."""
