// The arguments of a subcommand, parsed by node:util.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

type Config<O extends ParseArgsOptionsConfig> = { readonly args: string[]; readonly options: O }
type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<Config<O>>>['values']

/** The default of `--namespace`, as kubectl has it. */
export const DEFAULT_NAMESPACE = 'default'

/** The name of a namespace or of a MiniCluster (RFC 1123 label). */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** @returns a sentence if the text is no name of a namespace or of a MiniCluster; `undefined` if it is one */
export function problemOfName(text: string): string | undefined {
  if (NAME.test(text)) return undefined
  return `expected a name of lower-case letters, digits and "-", got "${text}"`
}

/** @returns the same sentence about the flag; `undefined` too if there is none */
export function problemOfNamespace(text: string | undefined): string | undefined {
  const problem = text === undefined ? undefined : problemOfName(text)
  return problem === undefined ? undefined : `--namespace: ${problem}`
}

interface Problem {
  readonly kind: 'problem'
  readonly problem: string
}

export type FlagReading<O extends ParseArgsOptionsConfig> =
  | { readonly kind: 'flags'; readonly values: Values<O> }
  | Problem

/** Flags and other arguments. */
export type ArgumentReading<O extends ParseArgsOptionsConfig> =
  | {
      readonly kind: 'arguments'
      readonly values: Values<O>
      readonly positionals: readonly string[]
    }
  | Problem

/** Reads arguments that must all be flags. */
export function readFlags<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): FlagReading<O> {
  try {
    return { kind: 'flags', values: parseArgs<Config<O>>({ args: [...args], options }).values }
  } catch (error) {
    const read = problemOf(error)
    const isFile = 'filename' in options && read.problem.startsWith('Unexpected argument')
    return isFile ? { ...read, problem: `${read.problem}: name a file with -f` } : read
  }
}

/** Reads flags and other arguments. */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): ArgumentReading<O> {
  try {
    const config = { args: [...args], options, allowPositionals: true }
    const { values, positionals } = parseArgs<Config<O>>(config)
    return { kind: 'arguments', values, positionals }
  } catch (error) {
    return problemOf(error)
  }
}

function problemOf(error: unknown): Problem {
  if (!(error instanceof TypeError)) throw error
  // The first sentence is for the user of the command, the others are for its author.
  const [problem = error.message] = error.message.split('. ')
  return { kind: 'problem', problem }
}
