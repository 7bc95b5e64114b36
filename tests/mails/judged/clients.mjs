// Asks the package caniemail what clients do not know of a mail.
// Arguments: the file of the package's code. Input: {clients, pages: {name: html}}. Output: {name: [[title, client, n|a]]}.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { caniemail } = await import(pathToFileURL(process.argv[2]).href);
const { clients, pages } = JSON.parse(readFileSync(0, 'utf8'));
const found = {};
for (const [name, html] of Object.entries(pages)) {
  const { issues } = caniemail({ clients, html });
  const said = (verdict, map) => [...map].flatMap(([client, all]) => all.map(({ title }) => [title, client, verdict]));
  found[name] = [...said('n', issues.errors), ...said('a', issues.warnings)];
}
process.stdout.write(JSON.stringify(found));
