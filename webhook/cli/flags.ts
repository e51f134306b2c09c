// Arguments of a subcommand, by node:util; what it says of wrong ones, in our words.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

type Config<O extends ParseArgsOptionsConfig> = { readonly args: string[]; readonly options: O }
type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<Config<O>>>['values']

export type FlagReading<O extends ParseArgsOptionsConfig> =
  | { readonly kind: 'flags'; readonly values: Values<O> }
  | { readonly kind: 'problem'; readonly problem: string }

/** Reads arguments that are flags, all of them. */
export function readFlags<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
): FlagReading<O> {
  try {
    return { kind: 'flags', values: parseArgs<Config<O>>({ args: [...args], options }).values }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // What follows the first sentence is advice for those who write such commands.
    const [problem = error.message] = error.message.split('. ')
    return { kind: 'problem', problem }
  }
}
