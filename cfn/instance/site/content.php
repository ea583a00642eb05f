<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * drush php:script content.php: articles up to the number SITE_ARTICLES names, so that pages need the database and lists have pages.
 * What is there already is not made again.
 */

use Drupal\node\Entity\Node;

$wanted = (int) (getenv('SITE_ARTICLES') ?: 200);
$there = (int) \Drupal::entityQuery('node')->accessCheck(FALSE)->condition('type', 'article')->count()->execute();
$words = ['writer', 'standby', 'endpoint', 'failover', 'commit', 'queue', 'replay', 'snapshot', 'zone', 'probe', 'epoch', 'release'];
for ($number = $there + 1; $number <= $wanted; $number++) {
    // The same text for the same number: two sites of one release show the same pages.
    mt_srand($number);
    $body = '';
    for ($paragraph = 0; $paragraph < 6; $paragraph++) {
        $sentence = '';
        for ($word = 0; $word < 40; $word++) {
            $sentence .= ' ' . $words[mt_rand(0, count($words) - 1)];
        }
        $body .= '<p>' . ucfirst(ltrim($sentence)) . '.</p>';
    }
    Node::create([
        'type' => 'article',
        'title' => "Article $number: " . $words[mt_rand(0, count($words) - 1)],
        'body' => ['value' => $body, 'format' => 'basic_html'],
        'uid' => 1,
        'status' => 1,
        'promote' => 1,
    ])->save();
    if ($number % 50 === 0) {
        echo "$number articles\n";
    }
}
