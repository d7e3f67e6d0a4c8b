"""Caffe's file formats, and nothing about what layers do."""
