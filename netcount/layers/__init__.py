"""The layer types of Caffe and its forks, one class per type."""
