<?php
// SPDX-License-Identifier: Apache-2.0
// After install.php, in a process of its own: one article that visitors may comment on, and nothing that runs by itself.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
$classes = require getcwd() . '/autoload.php';
$request = Symfony\Component\HttpFoundation\Request::create('http://localhost/');
$kernel = Drupal\Core\DrupalKernel::createFromRequest($request, $classes, 'prod');
$kernel->boot();
$kernel->preHandle($request);
$modules = array_intersect(['automated_cron', 'update', 'history'], array_keys(Drupal::moduleHandler()->getModuleList()));
Drupal::service('module_installer')->uninstall(array_diff($modules, ['history']));
user_role_grant_permissions('anonymous', ['access comments', 'post comments', 'skip comment approval']);
// A test logs in often.
Drupal::configFactory()->getEditable('user.flood')->set('ip_limit', 100000)->set('user_limit', 100000)->save();
Drupal::configFactory()->getEditable('system.performance')->set('css.preprocess', false)->set('js.preprocess', false)->save();
$node = Drupal\node\Entity\Node::create([
    'type' => 'article', 'title' => 'Article', 'uid' => 1, 'body' => ['value' => 'RF-POST', 'format' => 'plain_text'],
    'comment' => ['status' => 2],
]);
$node->save();
echo 'node ', $node->id(), "\n";
