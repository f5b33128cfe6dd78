# A TLS server: server.rb PORT CERTIFICATE KEY tickets|none internal|own
#
# Each connection has a thread. With "own" the program keeps the sessions itself, in the callbacks
# that Ruby has for it. At SIGTERM it flushes the cache and prints what the context counted.

require "openssl"
require "socket"

port, certificate, key, tickets, cache = ARGV

context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(certificate))
context.key = OpenSSL::PKey.read(File.read(key))
context.session_id_context = "server.rb"
context.session_cache_mode = OpenSSL::SSL::SSLContext::SESSION_CACHE_SERVER
context.options |= OpenSSL::SSL::OP_NO_TICKET if tickets == "none"

sessions = {}
mutex = Mutex.new
removed = 0
if cache == "own"
  context.session_cache_mode |= OpenSSL::SSL::SSLContext::SESSION_CACHE_NO_INTERNAL_STORE
  context.session_new_cb = lambda do |(_, session)|
    mutex.synchronize { sessions[session.id] = session }
  end
  context.session_get_cb = lambda do |(_, id)|
    mutex.synchronize { sessions[id] }
  end
  context.session_remove_cb = lambda do |(_, session)|
    removed += 1
  end
end

listener = TCPServer.new("127.0.0.1", port.to_i)
listener.listen(128)
server = OpenSSL::SSL::SSLServer.new(listener, context)
server.start_immediately = false
ending = Queue.new
Signal.trap("TERM") { ending << true }

acceptor = Thread.new do
  loop do
    connection = server.accept
    Thread.new do
      connection.accept
      connection.gets
      connection.write("Ruby\n")
    ensure
      connection.close
    end
  end
end

ending.pop
acceptor.kill
(Thread.list - [Thread.current, acceptor]).each { |thread| thread.join(20) }
puts context.session_cache_stats.sort.map { |name, count| "#{name} #{count}" }.join(" ")
context.flush_sessions(Time.now + 100_000)
puts "after the flush #{context.session_cache_stats[:cache_num]}, own #{sessions.size}, removed #{removed}"
