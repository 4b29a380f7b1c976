"""`extractor review`: a local web page that shows and corrects the labels of a folder of pages."""
