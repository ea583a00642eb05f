-- SPDX-License-Identifier: Apache-2.0
-- The application's database. @SECRET@ is drawn anew for every prepared data directory.
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE USER shop@'%' IDENTIFIED BY '@SECRET@';
GRANT ALL ON shop.* TO shop@'%';
-- Who watches over an upgrade: sees everybody's transactions, and nothing else.
CREATE USER operator@'%' IDENTIFIED BY '@SECRET@';
GRANT PROCESS ON *.* TO operator@'%';
CREATE USER repl@'%' IDENTIFIED BY '@SECRET@';
GRANT REPLICATION SLAVE ON *.* TO repl@'%';
DELETE FROM mysql.global_priv WHERE User = '';
FLUSH PRIVILEGES;

USE shop;
-- No unique key on the token: a write done twice must be seen.
CREATE TABLE ledger (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token VARCHAR(64) CHARACTER SET ascii NOT NULL,
    server VARCHAR(64) NOT NULL,
    written TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY (token)
) ENGINE=InnoDB;

-- About 80 MB: ten times the memory of class small, a third of that of class large. The rows of one category lie far apart.
CREATE TABLE item (
    id INT UNSIGNED NOT NULL PRIMARY KEY,
    category SMALLINT UNSIGNED NOT NULL,
    price DECIMAL(8,2) NOT NULL,
    stock INT NOT NULL,
    description VARCHAR(1100) CHARACTER SET ascii NOT NULL,
    KEY (category)
) ENGINE=InnoDB;
INSERT INTO item SELECT seq, seq * 7919 % 1000, (seq % 9000) / 100, seq % 50, REPEAT(SHA2(seq, 512), 8) FROM seq_1_to_65000;
ANALYZE TABLE ledger, item;
