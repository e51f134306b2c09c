// Lists of host names as Flux writes them, such as "flux-sample-[0-3],login" (RFC 29). Order and repeats are kept: the n-th
// host belongs to the n-th rank. Ranks are in idset.ts.
import { FluxError } from '../errors.ts'
import { IdScanner, toOneLine } from './id-scanner.ts'
import type { IdRange } from './idset.ts'

/**
 * The most hosts that {@link expandHosts} creates: more than ten times the largest tested instance (10,000 hosts). With
 * names of usual length these hosts take less than 8 MiB.
 */
const MAX_HOSTS = 2 ** 17

/** The limit of POSIX and Flux for a host name. Without it a few hosts could use much memory. */
const MAX_NAME_LENGTH = 255

const [SPACE, DELETE, COMMA, OPEN, CLOSE] = [0x20, 0x7f, 0x2c, 0x5b, 0x5d]

/** The hosts of one range of one expression. Their ids have at least `width` digits. */
interface HostRange extends IdRange {
  readonly prefix: string
  readonly width: number
  readonly suffix: string
}

/** One expression: a plain name, or names that differ only in their ids. */
type Expression = string | readonly HostRange[]

/**
 * The number of hosts in the list, repeats included. The hosts are not created.
 *
 * @throws FluxError `FLUX_PROTOCOL` if the text is not a hostlist, or has more than 2^53 − 1 hosts.
 */
export function countHosts(list: string): number {
  let count = 0
  for (const expression of expressions(list)) {
    if (typeof expression === 'string') count += 1
    else for (const { first, last } of expression) count += last - first + 1
  }
  if (!Number.isSafeInteger(count)) throw tooMany(list, Number.MAX_SAFE_INTEGER)
  return count
}

/**
 * The hosts of the list, in its order.
 *
 * @throws FluxError `FLUX_PROTOCOL` if the text is not a hostlist, or has more than {@link MAX_HOSTS} hosts.
 */
export function expandHosts(list: string): string[] {
  if (countHosts(list) > MAX_HOSTS) throw tooMany(list, MAX_HOSTS)
  return [...hostsIn(list)]
}

/**
 * The same one by one: they are never all in memory, so there may be any number.
 *
 * @throws FluxError `FLUX_PROTOCOL` if the text is not a hostlist
 */
export function* hostsIn(list: string): Generator<string> {
  for (const expression of expressions(list)) {
    if (typeof expression === 'string') yield expression
    else for (const range of expression) yield* hostsOf(range)
  }
}

function* hostsOf({ first, last, prefix, width, suffix }: HostRange): Generator<string> {
  for (let id = first; id <= last; id += 1) {
    yield `${prefix}${String(id).padStart(width, '0')}${suffix}`
  }
}

/**
 * Reads a hostlist one expression at a time (RFC 29):
 *
 *     hostlist   = expression *( "," expression )
 *     expression = [ text ] [ "[" range *( "," range ) "]" ] [ text ]
 *     range      = id [ "-" id ]
 *     text       = 1*( printable ASCII but brackets and commas )
 *
 * An empty expression has no host. A second pair of brackets in one expression is refused. Some tools read it as a product,
 * but Flux never writes it, and the RFC does not define it.
 */
function* expressions(list: string): Generator<Expression> {
  const scanner = new IdScanner('hostlist', list)
  do {
    const prefix = scanner.takeWhile(isNameCharacter)
    if (scanner.take('[')) {
      yield parseBrackets(scanner, prefix)
    } else if (prefix.length > MAX_NAME_LENGTH) {
      throw scanner.expected(`a name of at most ${MAX_NAME_LENGTH} characters`)
    } else if (prefix !== '') {
      yield prefix
    }
  } while (scanner.take(','))
  if (!scanner.isAtEnd) throw scanner.expected('"," or a character of a host name')
}

function parseBrackets(scanner: IdScanner, prefix: string): HostRange[] {
  const ranges: Omit<HostRange, 'suffix'>[] = []
  let listWidth = 1
  let nameLength = 0
  do {
    const range = parseRange(scanner, listWidth)
    if (ranges.length === 0) listWidth = range.width
    nameLength = Math.max(nameLength, range.width, String(range.last).length)
    ranges.push({ ...range, prefix })
  } while (scanner.take(','))
  if (!scanner.take(']')) throw scanner.expected('"," or "]"')

  const suffix = scanner.takeWhile(isNameCharacter)
  if (scanner.isAt('[')) throw scanner.expected('"," (an expression has one pair of brackets)')
  if (prefix.length + nameLength + suffix.length > MAX_NAME_LENGTH) {
    throw scanner.expected(`names of at most ${MAX_NAME_LENGTH} characters`)
  }
  return ranges.map((range) => ({ ...range, suffix }))
}

/**
 * By the RFC, the leading zeros of the first id of a list hold for all its ids (`[005,4]` is 005, 004). It does not define
 * a later id with more leading zeros. Flux writes `[45,015]` for hosts 45 and 015, so such an id is read as written.
 */
function parseRange(scanner: IdScanner, listWidth: number): IdRange & { readonly width: number } {
  const first = scanner.takeId()
  const firstWidth = scanner.idWidth
  const width = scanner.isPadded ? Math.max(listWidth, firstWidth) : listWidth
  if (!scanner.take('-')) return { first, last: first, width }
  const last = scanner.takeId()
  if (scanner.isPadded && scanner.idWidth !== firstWidth) {
    throw scanner.expectedId('the same number of digits as in the first id of the range')
  }
  if (last <= first) throw scanner.expectedId(`an id of at least ${first + 1}`)
  return { first, last, width }
}

function isNameCharacter(code: number): boolean {
  return code > SPACE && code < DELETE && code !== COMMA && code !== OPEN && code !== CLOSE
}

function tooMany(list: string, limit: number): FluxError {
  const message = `Cannot expand hostlist ${toOneLine(list)}: expected at most ${limit} hosts`
  return new FluxError('FLUX_PROTOCOL', message)
}
