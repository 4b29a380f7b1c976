"""Corpora: many pages read, labelled and written, in batches."""
