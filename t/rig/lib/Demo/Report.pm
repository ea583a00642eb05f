package Demo::Report; use v5.36; sub write { } 1;
