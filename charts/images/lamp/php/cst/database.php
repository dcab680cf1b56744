<?php
declare(strict_types=1);

namespace Cst;

/** The site's own database, as the environment names it; null for a site that has none. */
function database(): ?\PDO
{
    $host = getenv('DATABASE_HOST');
    if ($host === false || $host === '') {
        return null;
    }
    $source = sprintf('mysql:host=%s;dbname=%s;charset=utf8mb4', $host, getenv('DATABASE_NAME'));
    return new \PDO($source, getenv('DATABASE_USERNAME'), getenv('DATABASE_PASSWORD'), [
        \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
        \PDO::ATTR_TIMEOUT => 3,
    ]);
}
