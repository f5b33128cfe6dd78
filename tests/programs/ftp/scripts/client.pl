# usage: client.pl PORT CERTIFICATE VERSION LISTS FILE passive|active
use strict;
use warnings;
use Digest::SHA;
use File::Temp;
use Net::FTP;

my ($port, $certificate, undef, $lists, $path, $mode) = @ARGV;
my $ftp = Net::FTP->new('localhost', Port => $port, Passive => $mode ne 'active', Timeout => 30,
    SSL_ca_file => $certificate) or die "no connection: $@\n";
sub check { my ($done, $what) = @_; return $done || die "$what: " . $ftp->message; }
check($ftp->starttls, 'no TLS');
check($ftp->login($ENV{FTP_USER}, 'tester'), 'no login');
check($ftp->prot('P'), 'no protection');
check($ftp->binary, 'no binary mode');
check(scalar(@{ $ftp->ls || [] }), 'no list') for 1 .. $lists;
if ($path ne '') {
    my $back = File::Temp->new;
    check($ftp->put($path, 'up/stored'), 'not stored');
    check($ftp->get('up/stored', $back->filename), 'not got back');
    my ($here, $there) = map { Digest::SHA->new(256)->addfile($_, 'b')->digest } $path, $back->filename;
    die "another file came back\n" if $here ne $there;
    check($ftp->delete('up/stored'), 'not deleted');
}
$ftp->quit;
