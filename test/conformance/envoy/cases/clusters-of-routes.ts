import { type Case, get } from '../harness/case.ts'
import { echo, ok } from '../harness/upstream.ts'

export const clustersOfRoutesCases: Case[] = [
  {
    name: 'a cluster by header',
    covers: 'cluster_header: its cluster; missing, empty and unknown are NC with cluster_not_found_response_code',
    upstreams: { app: echo, other: ok('other') },
    config: {
      routes: [
        {
          match: { prefix: '/404' },
          route: { cluster_header: 'X-Cluster', cluster_not_found_response_code: 'NOT_FOUND' },
        },
        { match: { prefix: '/' }, route: { cluster_header: 'x-cluster' } },
      ],
    },
    steps: [
      { send: get('/', { 'x-cluster': 'other' }) },
      { send: get('/', { 'x-cluster': 'app' }) },
      { send: get('/', { 'x-cluster': 'nope' }) },
      { send: get('/', { 'x-cluster': '' }) },
      { send: get('/') },
      { send: get('/404', { 'x-cluster': 'nope' }) },
    ],
  },
  {
    name: 'weights by a header',
    covers: 'weighted_clusters.header_name: the number modulo the total; what is no number is drawn',
    upstreams: { app: ok('app'), other: ok('other') },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            weighted_clusters: {
              header_name: 'x-draw',
              clusters: [
                { name: 'app', weight: 30 },
                { name: 'other', weight: 70 },
              ],
            },
          },
        },
      ],
    },
    steps: ['0', '29', '30', '99', '100', '129', '130'].map(draw => ({ send: get('/', { 'x-draw': draw }) })),
  },
  {
    name: 'weighted clusters of many kinds',
    covers: 'an entry by cluster_header, with host_rewrite_literal; mutations of the entry before those of the route',
    upstreams: { app: echo, other: echo },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          request_headers_to_add: [{ header: { key: 'x-level', value: 'route %REQ(x-level)%' } }],
          response_headers_to_add: [
            { header: { key: 'x-level', value: 'route' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          ],
          route: {
            append_x_forwarded_host: true,
            weighted_clusters: {
              header_name: 'x-draw',
              clusters: [
                {
                  name: 'app',
                  weight: 1,
                  host_rewrite_literal: 'entry.test',
                  request_headers_to_add: [{ header: { key: 'x-level', value: 'entry' } }],
                  response_headers_to_add: [{ header: { key: 'x-level', value: 'entry' } }],
                },
                { cluster_header: 'x-cluster', weight: 1, request_headers_to_remove: ['x-cluster'] },
              ],
            },
          },
        },
      ],
    },
    steps: [
      { send: get('/', { 'x-draw': '0' }) },
      { send: get('/', { 'x-draw': '1', 'x-cluster': 'other' }) },
      { send: get('/', { 'x-draw': '1' }) },
    ],
  },
  {
    name: 'weights that the runtime moves',
    covers: 'runtime_key_prefix changed while it runs; weights whose sum is not 100',
    upstreams: { app: ok('app'), other: ok('other') },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            weighted_clusters: {
              runtime_key_prefix: 'shift',
              clusters: [
                { name: 'app', weight: 7 },
                { name: 'other', weight: 0 },
              ],
            },
          },
        },
      ],
    },
    steps: [
      { send: get('/') },
      { admin: '/runtime_modify?shift.app=0&shift.other=3', method: 'POST' },
      { send: get('/') },
      { admin: '/runtime_modify?shift.app=&shift.other=', method: 'POST' },
      { send: get('/') },
    ],
  },
]
