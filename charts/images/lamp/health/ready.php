<?php
// Whether the site can serve: its files can be read and written, and its database answers. Says which part cannot, not why.
declare(strict_types=1);

require 'cst/database.php';

function failing(): ?string
{
    if (!is_readable('/data/public') || !is_writable('/data/public')) {
        return 'files';
    }
    try {
        Cst\database()?->query('SELECT 1');
    } catch (PDOException $error) {
        error_log('not ready: ' . $error->getMessage());
        return 'database';
    }
    return null;
}

$failing = failing();
http_response_code($failing === null ? 200 : 503);
header('Content-Type: text/plain');
echo $failing === null ? "ok\n" : "not ready: $failing\n";
