// Arguments of a subcommand, by node:util; what it says of wrong ones, in our words.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

type Config<O extends ParseArgsOptionsConfig> = { readonly args: string[]; readonly options: O }
type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<Config<O>>>['values']

interface Problem {
  readonly kind: 'problem'
  readonly problem: string
}

export type FlagReading<O extends ParseArgsOptionsConfig> =
  | { readonly kind: 'flags'; readonly values: Values<O> }
  | Problem

/** Flags, and the arguments between them. */
export type ArgumentReading<O extends ParseArgsOptionsConfig> =
  | {
      readonly kind: 'arguments'
      readonly values: Values<O>
      readonly positionals: readonly string[]
    }
  | Problem

/** Reads arguments that are flags, all of them. */
export function readFlags<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): FlagReading<O> {
  try {
    return { kind: 'flags', values: parseArgs<Config<O>>({ args: [...args], options }).values }
  } catch (error) {
    return problemOf(error)
  }
}

/** Reads arguments of which some may be no flags. */
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
  // What follows the first sentence is advice for those who write such commands.
  const [problem = error.message] = error.message.split('. ')
  return { kind: 'problem', problem }
}
