#!/usr/bin/perl
# Print C files as file:line:code, comments and the insides of strings blanked, so that a
# search finds code only and still names the place.
use strict;
use warnings;

undef $/;
for my $file (@ARGV) {
    open(my $in, '<', $file) or die "$file: $!\n";
    my $text = <$in>;
    next unless defined $text;
    $text =~ s{("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')|/\*.*?\*/|//[^\n]*}{
        my $newlines = ($& =~ tr/\n//);
        defined $1 ? '""' : ' ' . "\n" x $newlines;
    }gsex;
    my $line = 0;
    print map { $line++; "$file:$line:$_\n" } split(/\n/, $text, -1);
}
