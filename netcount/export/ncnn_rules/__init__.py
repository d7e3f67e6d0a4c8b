"""ncnn's layers for Caffe's, a file a family, by ncnn's own docs/developer-guide/operators.md."""
