<?php
// The first page of a new site, to be replaced by the site's own. It counts its visits in the database: what it shows
// was written and read.
declare(strict_types=1);

require 'cst/database.php';

/** How many visits there were, this one included; null without a database. */
function visits(?PDO $database): ?int
{
    if ($database === null) {
        return null;
    }
    $database->exec('CREATE TABLE IF NOT EXISTS visits (page VARCHAR(64) PRIMARY KEY, count BIGINT UNSIGNED NOT NULL)');
    $database->exec("INSERT INTO visits VALUES ('home', 1) ON DUPLICATE KEY UPDATE count = count + 1");
    return (int) $database->query("SELECT count FROM visits WHERE page = 'home'")->fetchColumn();
}

$host = htmlspecialchars(getenv('SITE_HOST') ?: 'questo sito');
try {
    $visits = visits(Cst\database());
    $database = $visits === null
        ? 'Il sito non ha una base di dati.'
        : "Visite, lette e scritte nella base di dati: <output id=\"visits\">$visits</output>.";
} catch (PDOException $error) {
    error_log($error->getMessage());
    http_response_code(503);
    header('Retry-After: 30');
    $database = 'La base di dati non risponde.';
}
?>
<!DOCTYPE html>
<html lang="it">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title><?= $host ?></title>
</head>
<body>
  <main>
    <h1><?= $host ?></h1>
    <p>Il sito è in funzione (Apache, PHP <?= PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION ?>).</p>
    <p><?= $database ?></p>
  </main>
</body>
</html>
