#!/usr/bin/perl
# Print a C file with its comments and the insides of its strings blanked, line by line in
# step with the original, so that a search finds code and names the right line.
use strict;
use warnings;

local $/;
my $text = <>;
$text =~ s{("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')|/\*.*?\*/|//[^\n]*}{
    my $newlines = ($& =~ tr/\n//);
    defined $1 ? '""' : ' ' . "\n" x $newlines;
}gsex;
print $text;
