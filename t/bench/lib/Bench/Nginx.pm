# SPDX-License-Identifier: Apache-2.0
package Bench::Nginx;

# nginx with Lua, in one of three parts:
#
#   app        the application behind the others, as mod_crowd is: 20 ms, any number at once. /hang?1 and /hang?0
#   semaphore  a proxy that lets requests wait while /down?1 says so, and then 40 at once, first in first out in each worker
#   polling    one whose requests look every 50 ms whether /down?0 was said, and then all go
#
# The proxies need `app`. Debian: nginx, libnginx-mod-http-lua.

use v5.36;
use parent -norequire, 'Bench::Program';
use Bench::Program ();

my $WORKERS = 2;

sub missing ($class) {
    return 'nginx'                 if !grep { -x } '/usr/sbin/nginx', '/usr/bin/nginx';
    return 'libnginx-mod-http-lua' if !-e '/usr/lib/nginx/modules/ngx_http_lua_module.so';
    return;
}

sub configure ($self, $dir) {
    mkdir "$dir/$_" for qw(body proxy other);
    mkdir "$dir/html";
    $self->write_file('html/static.txt', "static\n");
    my $part = $self->{part};
    my ($http, $server) = $part eq 'app' ? $self->app : $self->proxy($part);
    my $user = $> == 0 ? "user nobody nogroup;\n" : '';
    if ($> == 0) { my ($uid, $gid) = (getpwnam 'nobody')[2, 3]; chown $uid, $gid, map { "$dir/$_" } qw(body proxy other) }
    $self->write_file('nginx.conf', <<"CONF");
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
master_process on;
${user}worker_processes $WORKERS;
pid $dir/pid;
error_log $dir/error_log warn;
events { worker_connections 19000; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/other; uwsgi_temp_path $dir/other; scgi_temp_path $dir/other;
    client_max_body_size 100m;
    keepalive_timeout 60;
    lua_shared_dict state 1m;
    lua_package_path "/usr/share/lua/5.1/?.lua;;";
    init_by_lua_block { for _, n in ipairs({"down", "hang", "running", "max"}) do ngx.shared.state:set(n, 0) end }
$http
    server {
        listen 127.0.0.1:$self->{port} backlog=4096;
        root $dir/html;
$server
    }
}
CONF
    return ('nginx', '-c', "$dir/nginx.conf", '-e', "$dir/error_log");
}

sub app ($self) {
    return ('', <<'CONF');
        location = /stats { content_by_lua_block { ngx.say("max ", ngx.shared.state:get("max")) } }
        location = /reset { content_by_lua_block { local s = ngx.shared.state; s:set("max", s:get("running")); ngx.say("ok") } }
        location = /hang { content_by_lua_block { ngx.shared.state:set("hang", tonumber(ngx.var.args)); ngx.say("ok") } }
        location / {
            lua_check_client_abort on;
            content_by_lua_block {
                local s, started = ngx.shared.state, ngx.now() * 1000000
                local now = s:incr("running", 1)
                if now > s:get("max") then s:set("max", now) end
                ngx.on_abort(function() s:incr("running", -1); ngx.exit(499) end)
                ngx.req.read_body()
                local body = ngx.req.get_body_data() or ""
                local file = ngx.req.get_body_file()
                if file then local f = io.open(file, "rb"); body = f:read("*a"); f:close() end
                ngx.sleep(0.02)
                while s:get("hang") == 1 do ngx.sleep(0.002) end
                ngx.update_time()
                s:incr("running", -1)
                ngx.header["X-Started"] = string.format("%d", started)
                ngx.header["X-Ended"] = string.format("%d", ngx.now() * 1000000)
                local text = string.format("ok %d %08x %d %s\n", ngx.worker.pid(), ngx.crc32_long(body), #body,
                    ngx.req.get_headers()["X-Crowd"] or "-")
                ngx.header["Content-Length"] = #text
                ngx.print(text)
            }
        }
CONF
}

sub proxy ($self, $part) {
    my $share  = 40 / $WORKERS;
    my $upstream = "    upstream app { server 127.0.0.1:${\$self->{app}->port}; keepalive 64; }\n";
    my $server = <<'CONF';
        location = /static.txt { }
        location = /down { content_by_lua_block { ngx.shared.state:set("down", tonumber(ngx.var.args)); ngx.say("ok") } }
        location / {
            PAUSE
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_read_timeout 300s;
        }
CONF
    my $polling = 'access_by_lua_block { while ngx.shared.state:get("down") == 1 do ngx.sleep(0.05) end }';
    my $semaphore = <<'LUA';
access_by_lua_block {
                -- Who is let go takes the place of one who is done; nobody overtakes.
                local q = require("bench.queue")
                if q.running >= SHARE or q.gate:count() < 0 or ngx.shared.state:get("down") == 1 then
                    if not q.gate:wait(600) then return ngx.exit(503) end
                else q.running = q.running + 1 end
                ngx.ctx.running = true
            }
            log_by_lua_block {
                local q = require("bench.queue")
                if not ngx.ctx.running then return end
                if ngx.shared.state:get("down") ~= 1 and q.gate:count() < 0 then q.gate:post(1)
                else q.running = q.running - 1 end
            }
LUA
    my $begin = <<'LUA';
    init_worker_by_lua_block {
        local q = { gate = require("ngx.semaphore").new(0), running = 0 }
        package.loaded["bench.queue"] = q
        ngx.timer.every(0.01, function()
            if ngx.shared.state:get("down") == 1 then return end
            while q.running < SHARE and q.gate:count() < 0 do q.running = q.running + 1; q.gate:post(1) end
        end)
    }
LUA
    $server =~ s/PAUSE/$part eq 'polling' ? $polling : $semaphore/e;
    return map { s/SHARE/$share/gr } $upstream . ($part eq 'polling' ? '' : $begin), $server;
}

# Of the application: how many were inside at once, at most.
sub max ($self) { return $self->ask('/stats') =~ /max (\d+)/ ? 0 + $1 : undef }

# As Bench::Ours has it.
sub work    ($self) { return $self->url('/work') }
sub static  ($self) { return $self->url('/static.txt') }
sub outage  ($self) { $self->ask('/down?1'); return }
sub release ($self) { $self->ask('/down?0'); return }

1;
