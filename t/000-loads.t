#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The module loads, watches, and leaves alone what is not its business.
use v5.36;
use Test::More;
eval { require Apache::Test; Apache::Test->import(qw(-withtestmore)); require Apache::TestRequest; Apache::TestRequest->import(qw(GET)); 1 }
    or plan skip_all => 'apache-test: Apache::Test is not installed';
plan(tests => 3);

is(GET('/static.txt')->content, "static\n", 'a static file');
is(GET('/no-such-file')->code, 404, 'a file that is not there');
is(GET('/rds-status?health')->code, 200, 'the status handler answers');
