//! How far the line stands from its target that stands furthest, of a portfolio as `p`: a part of queries. Of a portfolio
//! without targets it is null, since every weight would be its line's drift. It asks nothing by itself.

macro_rules! largest_drift {
    () => {
        "(SELECT max(abs(a.drift)) FROM portfolio_allocations a
        WHERE a.portfolio_id = p.portfolio_id AND jsonb_array_length(p.policy -> 'targets') > 0)"
    };
}

pub(crate) use largest_drift;
