import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatSelector,
  fromLabelSelector,
  matchesLabels,
  parseSelector,
  type Selector,
  toLabelSelector,
} from '#api/selectors/selector.ts'
import { runs } from '../../support/runs.ts'

/** Texts, and how they are written again: sorted by key, values sorted, without repetition, `==` as `=`. */
const VALID: readonly (readonly [string, string])[] = [
  ['', ''],
  ['  \t\r\n ', ''],
  ['a', 'a'],
  [' a ', 'a'],
  ['!a', '!a'],
  ['! a', '!a'],
  ['a,b', 'a,b'],
  ['b,a', 'a,b'],
  ['a,a', 'a,a'],
  ['a=b', 'a=b'],
  ['a==b', 'a=b'],
  ['a = b', 'a=b'],
  ['a\t==\nb', 'a=b'],
  ['a=', 'a='],
  ['a==', 'a='],
  ['a=,b', 'a=,b'],
  ['a= ,b', 'a=,b'],
  ['a!=b', 'a!=b'],
  ['a != b', 'a!=b'],
  ['a!=', 'a!='],
  ['a!=,b=', 'a!=,b='],
  ['a in (b)', 'a in (b)'],
  ['a in(b)', 'a in (b)'],
  ['a in ( b )', 'a in (b)'],
  ['a in (c,b)', 'a in (b,c)'],
  ['a in (b,b)', 'a in (b)'],
  ['a in ()', 'a in ()'],
  ['a in (,)', 'a in ()'],
  ['a in (b,)', 'a in (,b)'],
  ['a in (,b)', 'a in (,b)'],
  ['a in (b,,c)', 'a in (,b,c)'],
  ['a in (,,b)', 'a in (,b)'],
  ['a in (,,,)', 'a in ()'],
  ['a in (b,,)', 'a in (,b)'],
  ['a in (,,)', 'a in ()'],
  ['a in (b,,,)', 'a in (,b)'],
  ['a in (b,,,,,,)', 'a in (,b)'],
  ['a in (b,,b,,b,,b,,)', 'a in (,b)'],
  ['a notin (b)', 'a notin (b)'],
  ['a notin(b, c ,d)', 'a notin (b,c,d)'],
  ['a notin ()', 'a notin ()'],
  ['in', 'in'],
  ['notin', 'notin'],
  ['!in', '!in'],
  ['in in (in,notin)', 'in in (in,notin)'],
  ['notin notin (in)', 'notin notin (in)'],
  ['a=in', 'a=in'],
  ['a=notin,in=a', 'a=notin,in=a'],
  ['inner=a', 'inner=a'],
  ['a>1', 'a>1'],
  ['a > 1', 'a>1'],
  ['a<9223372036854775807', 'a<9223372036854775807'],
  ['a>007', 'a>007'],
  ['a=b,!c,d in (e),f notin (g),h!=i,j', 'a=b,!c,d in (e),f notin (g),h!=i,j'],
  ['a=1,b=2,e,!n,q notin (x,y)', 'a=1,b=2,e,!n,q notin (x,y)'],
  ['queue=batch,tier in (a,b)', 'queue=batch,tier in (a,b)'],
  ['hpa-selector=flux-c', 'hpa-selector=flux-c'],
  ['flux-framework.org/queue=a', 'flux-framework.org/queue=a'],
  ['a.b/C_d=E-f.g', 'a.b/C_d=E-f.g'],
  ['A=B', 'A=B'],
  ['0=0', '0=0'],
  [`${'k'.repeat(63)}=${'v'.repeat(63)}`, `${'k'.repeat(63)}=${'v'.repeat(63)}`],
  [`${'d'.repeat(253)}/k`, `${'d'.repeat(253)}/k`],
  ['constructor=a', 'constructor=a'],
  ['a!=b,a!=c', 'a!=b,a!=c'],
]

for (const [text, canonical] of VALID) {
  test(`parseSelector reads ${JSON.stringify(text)} as "${canonical}"`, () => {
    assert.equal(formatSelector(parseSelector(text)), canonical)
  })
}

const KEY = 'a label key'
const KEY_OR_NOT = 'a label key or "!"'
const QUALIFIED = 'a qualified label key'
const OPERATOR = '"=", "==", "!=", "in", "notin", ">" or "<"'
const NEXT = '"," or the end'
const LIST = '"," or ")"'

/** Texts, the position of the mistake, what was expected there, and what was found. */
const INVALID: readonly (readonly [string, number, string, string])[] = [
  [',', 1, KEY_OR_NOT, '","'],
  ['=', 1, KEY_OR_NOT, '"="'],
  ['=a', 1, KEY_OR_NOT, '"="'],
  ['==a', 1, KEY_OR_NOT, '"=="'],
  ['(', 1, KEY_OR_NOT, '"("'],
  ['!', 2, KEY, 'the end'],
  ['!!a', 2, KEY, '"!"'],
  ['!=a', 1, KEY_OR_NOT, '"!="'],
  ['a,', 3, KEY_OR_NOT, 'the end'],
  ['a,,b', 3, KEY_OR_NOT, '","'],
  [',a', 1, KEY_OR_NOT, '","'],
  ['a b', 3, OPERATOR, '"b"'],
  ['a !b', 3, OPERATOR, '"!"'],
  ['a(b)', 2, OPERATOR, '"("'],
  ['!a=b', 3, NEXT, '"="'],
  ['!a in (b)', 4, NEXT, '"in"'],
  ['a=b c', 5, NEXT, '"c"'],
  ['a=b=c', 4, NEXT, '"="'],
  ['a===b', 4, 'a value', '"="'],
  ['a=(b)', 3, 'a value', '"("'],
  ['a=!b', 3, 'a value', '"!"'],
  ['a=)', 3, NEXT, '")"'],
  ['a in b', 6, '"("', '"b"'],
  ['a in', 5, '"("', 'the end'],
  ['a in (', 7, LIST, 'the end'],
  ['a in (b', 8, LIST, 'the end'],
  ['a in (b c)', 9, LIST, '"c"'],
  ['a in (b=c)', 8, LIST, '"="'],
  ['a in (=b)', 7, 'a value', '"="'],
  ['a in (b))', 9, NEXT, '")"'],
  ['a in ((b))', 7, 'a value', '"("'],
  ['a in (b) c', 10, NEXT, '"c"'],
  ['a notin b', 9, '"("', '"b"'],
  ['a IN (b)', 3, OPERATOR, '"IN"'],
  ['a>', 3, 'an integer', 'the end'],
  ['a>b', 3, 'an integer', '"b"'],
  ['a>1.5', 3, 'an integer', '"1.5"'],
  ['a>-1', 3, 'an integer', '"-1"'],
  ['a>=1', 3, 'an integer', '"="'],
  ['a<9223372036854775808', 3, 'an integer', '"9223372036854775808"'],
  ['-a=b', 1, QUALIFIED, '"-a"'],
  ['a_=b', 1, QUALIFIED, '"a_"'],
  ['a/b/c', 1, QUALIFIED, '"a/b/c"'],
  ['A.b/c', 1, QUALIFIED, '"A.b/c"'],
  ['ä=b', 1, QUALIFIED, '"ä"'],
  ['x,  a%=b', 5, QUALIFIED, '"a%"'],
  ['a\u0000b', 1, QUALIFIED, '"a\u0000b"'],
  ['a=-b', 3, 'a label value', '"-b"'],
  ['a=b/c', 3, 'a label value', '"b/c"'],
  ['a=ö', 3, 'a label value', '"ö"'],
  [`a=${'v'.repeat(64)}`, 3, 'a label value', `"${'v'.repeat(64)}"`],
  [`${'k'.repeat(64)}`, 1, QUALIFIED, `"${'k'.repeat(64)}"`],
  ['a in (b,c_)', 9, 'a label value', '"c_"'],
]

for (const [text, position, expected, found] of INVALID) {
  test(`parseSelector rejects ${JSON.stringify(text)} at position ${position}`, () => {
    assert.throws(() => parseSelector(text), {
      name: 'StatusError',
      code: 400,
      message: `Cannot parse labelSelector "${text}": expected ${expected} at position ${position}, found ${found}`,
    })
  })
}

test('parseSelector rejects text of more than 4096 characters without parsing it', () => {
  assert.throws(() => parseSelector('a,'.repeat(3000), 'metricLabelSelector'), {
    code: 400,
    message: 'Cannot parse metricLabelSelector: expected at most 4096 characters, got 6000',
  })
})

const MATCHES: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['', {}, true],
  ['', { a: 'b' }, true],
  ['a', {}, false],
  ['a', { a: '' }, true],
  ['!a', {}, true],
  ['!a', { a: '' }, false],
  ['a=b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', {}, false],
  ['a=', { a: '' }, true],
  ['a=', {}, false],
  ['a!=b', { a: 'c' }, true],
  ['a!=b', { a: 'b' }, false],
  ['a!=b', {}, true],
  ['a in (b,c)', { a: 'c' }, true],
  ['a in (b,c)', { a: 'd' }, false],
  ['a in (b,c)', {}, false],
  ['a in ()', { a: '' }, true],
  ['a notin (b,c)', { a: 'b' }, false],
  ['a notin (b,c)', { a: 'd' }, true],
  ['a notin (b,c)', {}, true],
  ['a>5', { a: '6' }, true],
  ['a>5', { a: '5' }, false],
  ['a>5', { a: 'x' }, false],
  ['a>5', {}, false],
  ['a<5', { a: '4' }, true],
  ['a<5', { a: '5' }, false],
  ['a<10', { a: '9' }, true],
  ['a>9007199254740992', { a: '9007199254740993' }, true],
  ['a=b,c', { a: 'b' }, false],
  ['a=b,c', { a: 'b', c: 'd' }, true],
  ['constructor', {}, false],
]

for (const [text, labels, expected] of MATCHES) {
  test(`"${text}" ${expected ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
    assert.equal(matchesLabels(parseSelector(text), new Map(Object.entries(labels))), expected)
  })
}

test('toLabelSelector writes each kind of requirement', () => {
  const selector = parseSelector('a=1,b!=2,c in (3,4),d notin (5),e,!f')
  assert.deepEqual(toLabelSelector(selector), {
    matchLabels: { a: '1' },
    matchExpressions: [
      { key: 'b', operator: 'NotIn', values: ['2'] },
      { key: 'c', operator: 'In', values: ['3', '4'] },
      { key: 'd', operator: 'NotIn', values: ['5'] },
      { key: 'e', operator: 'Exists' },
      { key: 'f', operator: 'DoesNotExist' },
    ],
  })
})

test('fromLabelSelector reads what toLabelSelector writes', () => {
  for (const text of ['', 'a=1', 'a=1,c in (3,4),d notin (5),e,!f']) {
    const selector = parseSelector(text)
    assert.deepEqual(fromLabelSelector(toLabelSelector(selector)), selector)
  }
})

test('toLabelSelector keeps both of two equalities for one key', () => {
  assert.deepEqual(toLabelSelector(parseSelector('a=1,a=2')), {
    matchLabels: { a: '1' },
    matchExpressions: [{ key: 'a', operator: 'In', values: ['2'] }],
  })
})

test('toLabelSelector rejects ">", which a LabelSelector cannot express', () => {
  assert.throws(() => toLabelSelector(parseSelector('a>1')), {
    code: 400,
    message: 'Cannot select metrics by "a>1": ">" is for labels of objects only',
  })
})

const name = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/)
const value = fc.oneof(fc.constant(''), name)
const values = fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).map((list) => list.sort())
const plain = { noNullPrototype: true }
const requirement = fc.oneof(
  fc.record(
    { key: name, operator: fc.constantFrom('exists', '!'), values: fc.constant([]) },
    plain,
  ),
  fc.record({ key: name, operator: fc.constantFrom('=', '!='), values: fc.tuple(value) }, plain),
  fc.record({ key: name, operator: fc.constantFrom('in', 'notin'), values }, plain),
  fc.record(
    { key: name, operator: fc.constantFrom('>', '<'), values: fc.tuple(fc.nat().map(String)) },
    plain,
  ),
)
const selector: fc.Arbitrary<Selector> = fc.uniqueArray(requirement, {
  selector: ({ key }) => key,
  maxLength: 6,
})

test('a selector written and parsed again is the same selector', () => {
  fc.assert(
    fc.property(selector, (written) => {
      const sorted = [...written].sort((one, other) => (one.key < other.key ? -1 : 1))
      assert.deepEqual(parseSelector(formatSelector(written)), sorted)
    }),
  )
})

// A letter, a digit, "_", "-" or "." beside "in" makes it part of a longer word.
const TOKEN = /==|!=|[=!(),<>]|(?<![-\w.])(?:not)?in(?![-\w.])/g

test('white space around tokens changes nothing', () => {
  const blank = fc.stringMatching(/^[ \t\r\n]{1,3}$/)
  fc.assert(
    fc.property(selector, blank, (written, space) => {
      const text = formatSelector(written)
      const spaced = text.replaceAll(TOKEN, `${space}$&${space}`)
      assert.deepEqual(parseSelector(spaced), parseSelector(text))
    }),
  )
})

test('parseSelector returns a selector or a 400 for any text, never another error', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[ab=!(),<> intol0-9-]*$/))
  fc.assert(
    fc.property(text, (candidate) => {
      try {
        parseSelector(candidate)
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 400)
      }
    }),
    { numRuns: runs(1000) },
  )
})
