// The arguments of a program for developers: options, and names of the parts that it is to do.
import type { ParseArgsOptionsConfig } from 'node:util'
import { readArguments } from '../../webhook/cli/input/flags.ts'

/**
 * Reads the arguments of this process. Ends it after `--help`, and with exit code 2 if they are wrong.
 *
 * @param names the parts that can be chosen; without one in the arguments, all are. Left out: the caller looks at what is chosen
 */
export function programArguments<const O extends ParseArgsOptionsConfig>(
  options: O,
  { usage, names }: { readonly usage: string; readonly names?: readonly string[] },
) {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const read = readArguments(args, options)
  if (read.kind === 'problem') return endWith(read.problem, usage)
  const unknown = read.positionals.find((name) => names?.includes(name) === false)
  if (names !== undefined && unknown !== undefined) {
    const known = names.map((name) => `"${name}"`).join(', ')
    return endWith(`expected one of ${known}, got "${unknown}"`, usage)
  }
  const { values, positionals } = read
  return { values, positionals, isChosen: (name: string) => isChosen(positionals, name) }
}

/** Ends this process because its arguments are wrong. */
export function endWith(problem: string, usage: string): never {
  process.stderr.write(`${problem}\n\n${usage}`)
  process.exit(2)
}

function isChosen(chosen: readonly string[], name: string): boolean {
  return chosen.length === 0 || chosen.includes(name)
}
