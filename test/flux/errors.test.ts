import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRNO, errnoName, FluxError, isRemote } from '#flux/errors.ts'

test('errnoName gives the symbolic name of a number it knows', () => {
  assert.equal(errnoName(ERRNO.EPERM), 'EPERM')
  assert.equal(errnoName(61), 'ENODATA')
})

test('errnoName gives the number itself where there is no name', () => {
  assert.equal(errnoName(4095), 'errno 4095')
})

test('FluxError carries code, errnum, topic and cause', () => {
  const cause = new Error('why')
  const error = new FluxError('FLUX_REMOTE', 'It failed', { errnum: 38, topic: 'a.b', cause })
  const { name, code, message, errnum, topic } = error
  assert.deepEqual(
    { name, code, message, errnum, topic },
    { name: 'FluxError', code: 'FLUX_REMOTE', message: 'It failed', errnum: 38, topic: 'a.b' },
  )
  assert.equal(error.cause, cause)
})

test('isRemote is true only for that answer of a broker', () => {
  const answer = new FluxError('FLUX_REMOTE', 'It failed', { errnum: ERRNO.ENOSYS })
  assert.equal(isRemote(answer, ERRNO.ENOSYS), true)
  assert.equal(isRemote(answer, ERRNO.EPERM), false)
  const refusal = new FluxError('FLUX_CONNECT', 'Refused', { errnum: ERRNO.ENOSYS })
  assert.equal(isRemote(refusal, ERRNO.ENOSYS), false)
  assert.equal(isRemote(new Error('ENOSYS'), ERRNO.ENOSYS), false)
})
