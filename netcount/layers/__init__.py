"""The layer types of Caffe and its forks, one class a type."""
