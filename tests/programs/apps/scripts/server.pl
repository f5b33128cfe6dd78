# A TLS server: server.pl PORT CERTIFICATE KEY tickets|none single|fork
#
# One connection after the other, or each in a forked child. At SIGTERM it prints what its context
# counted, and whether libssl shows a table of sessions.

use strict;
use warnings;
use IO::Socket::INET;
use Net::SSLeay;

my ($port, $certificate, $key, $tickets, $mode) = @ARGV;

my $context = Net::SSLeay::CTX_new_with_method(Net::SSLeay::TLS_server_method()) or die "no context";
Net::SSLeay::CTX_use_certificate_chain_file($context, $certificate) or die "no certificate";
Net::SSLeay::CTX_use_PrivateKey_file($context, $key, Net::SSLeay::FILETYPE_PEM()) or die "no key";
Net::SSLeay::CTX_set_options($context, Net::SSLeay::OP_NO_TICKET()) if $tickets eq "none";
Net::SSLeay::CTX_set_session_id_context($context, "server.pl", 9);

my $listener = IO::Socket::INET->new(
    LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 128, ReuseAddr => 1,
) or die "cannot listen: $!";

my $ending = 0;
$SIG{TERM} = sub { $ending = 1; close $listener };
$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = sub { while (waitpid(-1, 1) > 0) { } } if $mode eq "fork";

while (!$ending) {
    my $connection = $listener->accept or next;
    if ($mode eq "single") {
        serve($connection);
        next;
    }
    my $child = fork;
    if ($child == 0) {
        serve($connection);
        exit 0;
    }
    close $connection;
}
if ($mode eq "fork") {
    while (waitpid(-1, 0) > 0) { }
}
report();
Net::SSLeay::CTX_free($context);

sub serve {
    my ($connection) = @_;
    alarm 20;
    my $ssl = Net::SSLeay::new($context);
    Net::SSLeay::set_fd($ssl, fileno($connection));
    if (Net::SSLeay::accept($ssl) == 1) {
        Net::SSLeay::read($ssl);
        Net::SSLeay::write($ssl, "Perl\n");
        Net::SSLeay::shutdown($ssl);
    }
    Net::SSLeay::free($ssl);
    close $connection;
    alarm 0;
}

sub report {
    my %figures = (
        accept => Net::SSLeay::CTX_sess_accept($context),
        accept_good => Net::SSLeay::CTX_sess_accept_good($context),
        cb_hits => Net::SSLeay::CTX_sess_cb_hits($context),
        hits => Net::SSLeay::CTX_sess_hits($context),
        misses => Net::SSLeay::CTX_sess_misses($context),
        number => Net::SSLeay::CTX_sess_number($context),
        timeouts => Net::SSLeay::CTX_sess_timeouts($context),
    );
    print join(" ", map { "$_ $figures{$_}" } sort keys %figures), "\n";
    print "a table of sessions: ", (Net::SSLeay::CTX_sessions($context) ? "yes" : "no"), "\n";
}
