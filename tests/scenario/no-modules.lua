-- SPDX-License-Identifier: GPL-2.0-or-later
-- The hypervisor finds no ultravisor and gives up: status 3, its last line.
machine{
  modules = {},
  policy = "../../scenarios/policy/quickstart.policy",
}
wait_off{}
