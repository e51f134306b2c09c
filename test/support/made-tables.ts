// The tables in docs/ that are made from the code: of metrics, environment variables and commands. A test holds them together.
// After a change of the code, this makes them again:
//
//   node test/support/made-tables.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Variable } from '#serving/env.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { VARIABLES as SIDECAR_VARIABLES } from '../../sidecar/config.ts'
import type { Io, Output } from '../../webhook/cli/command.ts'
import { COMMANDS } from '../../webhook/cli/commands.ts'
import { VARIABLES as WEBHOOK_VARIABLES } from '../../webhook/config.ts'
import { VARIABLES as GATEWAY_VARIABLES } from '../../webhook/gateway/config.ts'
import { catalogTable } from './catalog-table.ts'
import { ROOT } from './imports.ts'

/** A table in a page of docs/, between two comments with its name. */
export interface MadeTable {
  readonly page: string
  readonly name: string
  make(): string
}

export const MADE_TABLES: readonly MadeTable[] = [
  { page: 'docs/reference/METRICS.md', name: 'metrics', make: catalogTable },
  ...Object.entries({
    webhook: WEBHOOK_VARIABLES,
    gateway: GATEWAY_VARIABLES,
    sidecar: SIDECAR_VARIABLES,
  }).map(([name, variables]) => ({
    page: 'docs/reference/ENVIRONMENT.md',
    name,
    make: () => variableTable(variables),
  })),
  { page: 'docs/reference/CLI.md', name: 'commands', make: commandTable },
  { page: 'docs/reference/CLI.md', name: 'options', make: commandHelp },
]

/** The text between the comments of a table, without the empty lines around it; `undefined` without such comments. */
export function madeTableIn(text: string, name: string): string | undefined {
  return betweenComments(name).exec(text)?.[2]?.trim()
}

function betweenComments(name: string): RegExp {
  return new RegExp(`(<!-- ${name}: made [^>]*-->)([\\s\\S]*?)(<!-- /${name} -->)`)
}

function variableTable(variables: readonly Variable[]): string {
  return [
    '| variable | default | meaning |',
    '|---|---|---|',
    ...variables.map(({ name, fallback, meaning }) => `| \`${name}\` | ${fallback} | ${meaning} |`),
  ].join('\n')
}

function commandTable(): string {
  return [
    '| command | to |',
    '|---|---|',
    ...COMMANDS.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${summary} |`),
  ].join('\n')
}

function commandHelp(): string {
  return COMMANDS.map(
    (command) => `## ${command.name}\n\n\`\`\`text\n${command.help(HELP_IO).trimEnd()}\n\`\`\``,
  ).join('\n\n')
}

const NO_OUTPUT: Output = {
  isTerminal: false,
  columns: undefined,
  rows: undefined,
  write: () => {},
}

/** Help reads nothing but the version. */
const HELP_IO: Io = {
  out: NO_OUTPUT,
  err: NO_OUTPUT,
  env: {},
  readFile: refuse,
  writeFile: refuse,
  createFolder: refuse,
  checkWritable: refuse,
  inputIsTerminal: false,
  readInput: refuse,
  onInterrupt: () => () => {},
  version: packageJson.version,
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the help of a command needs no files'))
}

if (import.meta.main) {
  for (const { page, name, make } of MADE_TABLES) {
    const path = join(ROOT, page)
    const text = readFileSync(path, 'utf8')
    if (madeTableIn(text, name) === undefined) throw new Error(`no table "${name}" in ${page}`)
    const made = (_: string, opening: string, __: string, closing: string) =>
      `${opening}\n\n${make()}\n\n${closing}`
    writeFileSync(path, text.replace(betweenComments(name), made))
  }
}
