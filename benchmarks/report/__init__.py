"""Figures for people: HTML, Markdown, plots."""
