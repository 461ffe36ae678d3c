"""The same nouns for people: server-rendered; every act works without a script."""
