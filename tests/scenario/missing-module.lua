-- SPDX-License-Identifier: GPL-2.0-or-later
-- A module that isn't there: status 2 with the remedy.
machine{
  modules = {"uv", "boot", "idle", "nowhere"},
  policy = "../../scenarios/policy/quickstart.policy",
}
