-- SPDX-License-Identifier: GPL-2.0-or-later
-- Computes for ever: status 2, with this file and line 8.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}

local n = 0
while n >= 0 do n = (n + 1) & 255 end
