"""usage: client.py PORT CERTIFICATE VERSION LISTS FILE passive|extended|active [unverified]

FTP_TLS as it comes: lists, stores FILE, gets it back, each on a data connection of its own."""
import ftplib
import hashlib
import io
import os
import socket
import ssl
import sys

port, certificate, version, lists, path, mode = sys.argv[1:7]
context = ssl.create_default_context(cafile=certificate)
if sys.argv[7:] == ["unverified"]:
    context = ssl._create_unverified_context()
context.minimum_version = context.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]

ftp = ftplib.FTP_TLS(context=context, timeout=30)
ftp.connect("localhost", int(port))
ftp.login(os.environ["FTP_USER"], "tester")
ftp.prot_p()
ftp.set_pasv(mode != "active")
if mode == "extended":
    ftp.af = socket.AF_INET6
for _ in range(int(lists)):
    if not ftp.nlst():
        sys.exit("the list is empty")
if path:
    content = open(path, "rb").read()
    ftp.storbinary("STOR up/stored", io.BytesIO(content), blocksize=65536)
    digest = hashlib.sha256()
    ftp.retrbinary("RETR up/stored", digest.update, blocksize=65536)
    if digest.digest() != hashlib.sha256(content).digest():
        sys.exit("another file came back")
    ftp.delete("up/stored")
ftp.quit()
