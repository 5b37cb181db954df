-- SPDX-License-Identifier: GPL-2.0-or-later
-- machine{} has no such key: status 2, with this file and line 3.
machine{
  polcy = "../../scenarios/policy/quickstart.policy",
}
