"""Marelle, an open-source portail famille."""
