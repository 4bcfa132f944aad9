import t from 'tap'
import { parseAddress, withoutSecrets } from '../../../example/storage/address.js'

await t.test('an address is read: hosts with their ports, credentials, path and parameters', async (t) => {
  const full = parseAddress('rediss://ann:p%40ss%3Aword@a.example:1,b.example,[::1]:3/0?prefix=offers:', 6379)
  t.strictSame(full, {
    scheme: 'rediss',
    hosts: [{ host: 'a.example', port: 1 }, { host: 'b.example', port: 6379 }, { host: '::1', port: 3 }],
    user: 'ann',
    password: 'p@ss:word',
    path: '0',
    prefix: 'offers:'
  })
  t.match(parseAddress('redis://:hush:ed@127.0.0.1:80', 6379), {
    hosts: [{ host: '127.0.0.1', port: 80 }],
    user: undefined,
    password: 'hush:ed',
    path: ''
  })
  t.match(parseAddress('etcd://localhost', 2379), {
    hosts: [{ host: 'localhost', port: 2379 }],
    user: undefined,
    password: undefined
  })
})

await t.test('a text of another form is no address', async (t) => {
  for (const text of [
    '',
    'redis:',
    'redis://',
    'redis:///0',
    'redis://a,',
    'redis://,a',
    'redis://a:b',
    'redis://a:99999',
    'redis://a b',
    'redis://%zz@a',
    'redis://a@b@c',
    'redis://a/0#x',
    '//a',
    'redis://a?prefx=b',
    'redis://a?prefix=b&c=d'
  ]) {
    t.equal(parseAddress(text, 1), undefined, text)
  }
})

await t.test('an address is shown without user, password and parameters, wherever odd characters are', async (t) => {
  t.equal(withoutSecrets('postgres://ann:hush@db.example:5432/offers?options=x'), 'postgres://db.example:5432/offers')
  t.equal(withoutSecrets('sqlite:data/offers.db'), 'sqlite:data/offers.db')
  for (const password of ['hush', 'h/ush', 'h?ush', 'h@ush', 'h#ush', 'h\nush']) {
    t.notMatch(withoutSecrets(`postgres://ann:${password}@db.example/offers`), /ann|ush/, password)
  }
  t.notMatch(withoutSecrets('postgres://db.example/offers?password=hush'), /hush/)
})
