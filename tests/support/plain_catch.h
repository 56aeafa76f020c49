// The precompiled header of the tests that need no LibTorch.
#pragma once

#include "core/base/precompiled.h"
#include "tests/support/catch.h"
