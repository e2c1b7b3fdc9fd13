// A small schema with one of everything, for tests that must not change when the events do.
#pragma once

#include <string>

namespace pievt::reflect::testing {

inline const std::string zoo_schema = R"(
  namespace zoo;
  enum Color : ubyte {
    unknown = 0,
    /// Like the sky.
    blue = 1,
    red = 2
  }
  enum Depth : short { abyss = -3000, unknown = 0, shore = 1 }
  struct Digest { bytes:[ubyte:4]; }
  struct Spot { x:int; color:Color; size:ulong; mark:Digest; borders:[Color:2]; }
  /// A leg.
  table Leg {
    name:string (id: 0);
    length:double = 1.5 (id: 1);
    next:Leg (id: 2);
    toes:[Leg] (id: 3);
  }
  /// It walked.
  /// On two lines.
  table Walked {
    zeal:ubyte (id: 0);
    legs:[Leg] (id: 1);
    digests:[Digest] (id: 2);
    spots:[Spot] (id: 3);
    names:[string] (id: 4);
    colors:[Color] (id: 5);
    raw:[ubyte] (id: 6);
    flags:[bool] (id: 7);
    big:[ulong] (id: 8);
    alone:long = -1 (id: 9);
  }
  /// It slept.
  table Slept {
    hours:float (id: 0);
    old:uint (id: 1, deprecated);
    dreams:uint = null (id: 2);
    depth:Depth (id: 3);
    awake:bool = true (id: 4);
  }
  union Payload { Walked = 1, Slept = 2 }
  table Animal {
    spot:Spot (id: 0);
    name:string (id: 1, required);
    payload:Payload (id: 3);
    digest:Digest (id: 4);
  }
  root_type Animal;
  file_identifier "ZOO1";
)";

}  // namespace pievt::reflect::testing
