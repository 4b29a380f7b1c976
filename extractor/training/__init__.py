"""Corpora with known main text -> labelled lines -> feature tables -> the model."""
