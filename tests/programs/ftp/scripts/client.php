<?php
// usage: client.php PORT CERTIFICATE VERSION LISTS FILE passive|active
// The extension verifies no certificate and keeps to the version of OPENSSL_CONF.
[, $port, , , $lists, $path, $mode] = $argv;
function check($done, $what)
{
    if (!$done) {
        fwrite(STDERR, "$what\n");
        exit(1);
    }
    return $done;
}
$ftp = check(ftp_ssl_connect('localhost', (int)$port, 30), 'no connection');
check(ftp_login($ftp, getenv('FTP_USER'), 'tester'), 'no login');
check(ftp_pasv($ftp, $mode !== 'active'), 'no passive mode');
for ($i = 0; $i < (int)$lists; $i++) {
    check(ftp_nlist($ftp, '.'), 'no list');
}
if ($path !== '') {
    $back = tempnam(sys_get_temp_dir(), 'ftp');
    check(ftp_put($ftp, 'up/stored', $path, FTP_BINARY), 'not stored');
    check(ftp_get($ftp, $back, 'up/stored', FTP_BINARY), 'not got back');
    $same = hash_file('sha256', $back) === hash_file('sha256', $path);
    unlink($back);
    check($same, 'another file came back');
    check(ftp_delete($ftp, 'up/stored'), 'not deleted');
}
ftp_close($ftp);
