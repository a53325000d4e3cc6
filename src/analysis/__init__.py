"""Campaign analysis: a params file goes in, one report that a reviewer can trust comes out."""
