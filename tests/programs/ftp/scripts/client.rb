# usage: client.rb PORT CERTIFICATE VERSION LISTS FILE passive|active
require "net/ftp"
require "digest"
require "tempfile"

port, certificate, _version, lists, path, mode = ARGV
ftp = Net::FTP.new("localhost", port: port.to_i, ssl: { ca_file: certificate }, passive: mode != "active",
                                username: ENV["FTP_USER"], password: "tester", read_timeout: 30)
lists.to_i.times { abort("the list is empty") if ftp.nlst.empty? }
unless path.empty?
  ftp.putbinaryfile(path, "up/stored", 65_536)
  Tempfile.create("ftp") do |back|
    ftp.getbinaryfile("up/stored", back.path, 65_536)
    abort("another file came back") if Digest::SHA256.file(back.path) != Digest::SHA256.file(path)
  end
  ftp.delete("up/stored")
end
ftp.close
